//! Heat: from the temperature of the windows to that of a load that never rests.
//!
//! The power of a device rises with its temperature, and a bench is too short, and rests too often, for the temperature
//! at which a server runs. So temperature and power are fitted over warm-up, gaps and windows, and each window is
//! corrected to the temperature that its load would reach in equilibrium; the idle power of a gap is corrected to the
//! same temperature. The standard error is that of the jackknife over parts of the warm-up and groups of cycles (Efron
//! and Tibshirani 1993, chapter 11).

mod correction;
mod equilibrium;
mod history;
mod power;
mod temperature;
#[cfg(test)]
mod tests;

pub(super) use correction::{HeatCorrection, correction};
