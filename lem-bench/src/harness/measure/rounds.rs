//! The interleaved order: all benches are set up, then each round takes one cycle of every one of them, so that what
//! drifts over the run hits all alike.
//!
//! Must not know how memory is read, nor what a turn does.

use rand::seq::SliceRandom as _;
use rand::{SeedableRng as _, rngs::Xoshiro256PlusPlus};

use super::super::console;
use super::super::exit::HarnessError;
use super::room::Room;
use super::session::{BenchSlot, SessionRunner};
use crate::model::RunOrder;
use crate::runner::Until;
use crate::sampler::Sampler;

/// Takes all rounds, until every bench has ended or the session has.
///
/// # Errors
/// A record can't be kept.
pub(super) fn take<R: FnMut() -> Result<Sampler, String>>(
    floor: &mut SessionRunner<R>,
    seats: &mut [BenchSlot],
    order: RunOrder,
    mut room: Room,
) -> Result<(), HarnessError> {
    if set_up(floor, seats, &mut room)? {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(order.seed.unwrap_or_default());
        while round(floor, seats, &mut room, &mut rng)? {}
    }
    // Whatever ended it: bodies end in order, so that what they hold is given back by them.
    for seat in seats {
        floor.put_away(seat)?;
    }
    Ok(())
}

/// Sets up as many benches as there is room for; whether the session goes on.
fn set_up<R: FnMut() -> Result<Sampler, String>>(
    floor: &mut SessionRunner<R>,
    seats: &mut [BenchSlot],
    room: &mut Room,
) -> Result<bool, HarnessError> {
    let all = seats.len();
    for (number, seat) in seats.iter_mut().enumerate() {
        if let Some(why) = room.lacks(number + 1 == all) {
            console::note(&format!(
                "{number} of {all} benches stay set up at once: {why}; the others are set up again for each of their \
                 cycles"
            ));
            break;
        }
        if floor.turn(seat, Until::SetUp)?.is_break() {
            return Ok(false);
        }
        room.taken();
    }
    Ok(true)
}

/// Takes a cycle of every bench that is left; whether there is another round.
fn round<R: FnMut() -> Result<Sampler, String>>(
    floor: &mut SessionRunner<R>,
    seats: &mut [BenchSlot],
    room: &mut Room,
    rng: &mut Xoshiro256PlusPlus,
) -> Result<bool, HarnessError> {
    let mut left: Vec<usize> = (0..seats.len()).filter(|at| !seats[*at].is_over).collect();
    left.shuffle(rng);
    for at in &left {
        let seat = &mut seats[*at];
        let was_set_up = seat.is_set_up();
        if floor.turn(seat, Until::Cycle)?.is_break() {
            return Ok(false);
        }
        if !was_set_up {
            floor.put_away(seat)?;
        } else if let Some(why) = room.is_short() {
            console::note(&format!("a bench less stays set up: {why}; it is set up again for each of its cycles"));
            floor.put_away(seat)?;
        }
    }
    Ok(!left.is_empty())
}
