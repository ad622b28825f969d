//! The plug as a meter: one domain with an energy counter in mWh and a power gauge.
//!
//! `GET /rpc/Switch.GetStatus?id=0` returns `{"apower": 51.3, "aenergy": {"total": 8210.417}, …}`: watts, and
//! watt-hours since the last reset, with three decimals (Shelly API of the second generation, "Switch"). For another
//! plug, change `PATH`, `Status::of` and the unit of the counter.

use std::error::Error;
use std::time::{Duration, Instant};

use lem_bench::meter::{Channel, Meter, Quantity, ReadError, Value};
use lem_bench::meter::{Domain, DomainId, DomainKind, Origin};

use crate::{fake, http};

const PATH: &str = "/rpc/Switch.GetStatus?id=0";

/// How long a response is reused, by reads of both channels. The plug updates less often.
const MAX_AGE: Duration = Duration::from_millis(100);

/// Joules per mWh, the last digit of the counter.
const MWH_J: f64 = 3.6;

/// A plug that is read over HTTP.
pub(crate) struct Plug {
    host: String,
    domains: [Domain; 1],
    channels: [Channel; 2],
    last: Option<(Instant, Status)>,
}

/// The readings of a plug.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Status {
    watts: f64,
    milliwatt_hours: u64,
}

impl Status {
    /// Parses the body of a response.
    pub(crate) fn of(json: &str) -> Result<Self, Box<dyn Error>> {
        let json: serde_json::Value = serde_json::from_str(json)?;
        let watts = json["apower"].as_f64().ok_or("the response has no `apower`")?;
        let watt_hours = json["aenergy"]["total"].as_f64().ok_or("the response has no `aenergy.total`")?;
        Ok(Self { watts, milliwatt_hours: (watt_hours * 1e3).round() as u64 })
    }
}

impl Plug {
    /// Opens the plug at `host`. `fake` starts a simulated plug, and `fake:10` one that updates ten times per second.
    pub(crate) fn open(host: &str) -> Result<Self, Box<dyn Error>> {
        let host = match host.split_once(':').unwrap_or((host, "1")) {
            ("", _) => return Err("the address is missing: set --meter plug:192.168.1.7, or plug:fake".into()),
            ("fake", updates_per_s) => fake::start(updates_per_s.parse()?)?,
            _ => host.to_owned(),
        };
        let id = DomainId::new("wall");
        let label = format!("everything behind the plug at {host}");
        let mut plug = Self {
            domains: [Domain::new(id.clone(), DomainKind::Board, label)],
            channels: [
                Channel::new(id.clone(), Quantity::Energy { unit_j: MWH_J, modulus: None }),
                Channel::new(id, Quantity::Power),
            ],
            host,
            last: None,
        };
        // Reads once, so that a plug that cannot be read is an error here and not during the measurement.
        plug.status().map_err(|error| format!("the plug at {} does not respond: {error}", plug.host))?;
        Ok(plug)
    }

    fn status(&mut self) -> Result<Status, Box<dyn Error>> {
        if let Some((_, status)) = self.last.filter(|(at, _)| at.elapsed() < MAX_AGE) {
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

    /// Results of the simulated plug are labelled as simulated.
    fn origin(&self) -> Origin {
        if self.host.starts_with(fake::ADDRESS) { Origin::Simulated } else { Origin::Measured }
    }

    fn domains(&self) -> &[Domain] {
        &self.domains
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// Never returns [`ReadError::Lost`]: a plug that does not respond now may respond to the next read.
    fn read(&mut self, channel: usize) -> Result<Value, ReadError> {
        let status = self.status().map_err(|error| ReadError::Failed(format!("{}: {error}", self.host)))?;
        Ok(if channel == 0 { Value::Count(status.milliwatt_hours) } else { Value::Level(status.watts) })
    }
}
