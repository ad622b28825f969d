//! The plug as a meter: an energy counter in mWh and a power gauge, of one domain.
//!
//! `GET /rpc/Switch.GetStatus?id=0` answers `{"apower": 51.3, "aenergy": {"total": 8210.417}, …}`: watts, and
//! watt-hours since the plug was reset, with three digits (Shelly's API of the second generation, "Switch"). For another
//! plug, change `PATH`, `Status::of` and the counter's unit.

use std::error::Error;
use std::time::{Duration, Instant};

use lem_bench::meter::{Channel, Meter, Quantity, ReadError, Value};
use lem_bench::meter::{Domain, DomainId, DomainKind, Origin};

use crate::{fake, http};

const PATH: &str = "/rpc/Switch.GetStatus?id=0";

/// One answer serves both channels, and all reads for so long: the plug has nothing new to say ten times a second.
const FRESH: Duration = Duration::from_millis(100);

/// Joules in a thousandth of a watt-hour, the last digit of the plug's counter.
const MWH_J: f64 = 3.6;

/// A plug that is asked over HTTP.
pub(crate) struct Plug {
    host: String,
    domains: [Domain; 1],
    channels: [Channel; 2],
    last: Option<(Instant, Status)>,
}

/// What the plug says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Status {
    watts: f64,
    milliwatt_hours: u64,
}

impl Status {
    /// What an answer says.
    pub(crate) fn of(json: &str) -> Result<Self, Box<dyn Error>> {
        let json: serde_json::Value = serde_json::from_str(json)?;
        let watts = json["apower"].as_f64().ok_or("the answer has no `apower`")?;
        let watt_hours = json["aenergy"]["total"].as_f64().ok_or("the answer has no `aenergy.total`")?;
        Ok(Self { watts, milliwatt_hours: (watt_hours * 1e3).round() as u64 })
    }
}

impl Plug {
    /// The plug at `host`; `fake` starts one that is made up, `fake:10` one that has something new ten times a second.
    pub(crate) fn open(host: &str) -> Result<Self, Box<dyn Error>> {
        let host = match host.split_once(':').unwrap_or((host, "1")) {
            ("", _) => return Err("name its address: --meter plug:192.168.1.7, or plug:fake".into()),
            ("fake", per_second) => fake::start(per_second.parse()?)?,
            _ => host.to_owned(),
        };
        let id = DomainId::new("wall");
        let label = format!("everything behind the plug at {host}");
        let mut plug = Self {
            domains: [Domain { id: id.clone(), kind: DomainKind::Board, parent: None, label }],
            channels: [
                Channel::new(id.clone(), Quantity::Energy { unit_j: MWH_J, modulus: None }),
                Channel::new(id, Quantity::Power),
            ],
            host,
            last: None,
        };
        // What can't be read is known before anything waits for it.
        plug.status().map_err(|error| format!("the plug at {} does not answer: {error}", plug.host))?;
        Ok(plug)
    }

    fn status(&mut self) -> Result<Status, Box<dyn Error>> {
        if let Some((_, status)) = self.last.filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(status);
        }
        let status = Status::of(&http::get(&self.host, PATH)?)?;
        self.last = Some((Instant::now(), status));
        Ok(status)
    }
}

impl Meter for Plug {
    fn name(&self) -> &'static str {
        "plug"
    }

    /// It is a sensor that is read; the made-up one says what it is.
    fn origin(&self) -> Origin {
        if self.host.starts_with(fake::HERE) { Origin::Simulated } else { Origin::Measured }
    }

    fn domains(&self) -> &[Domain] {
        &self.domains
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// A plug that does not answer now may do so the next time: never [`ReadError::Lost`].
    fn read(&mut self, channel: usize) -> Result<Value, ReadError> {
        let status = self.status().map_err(|error| ReadError::Failed(format!("{}: {error}", self.host)))?;
        Ok(if channel == 0 { Value::Count(status.milliwatt_hours) } else { Value::Level(status.watts) })
    }
}
