//! Every check of the ledger against evidence that provokes it, and against evidence that stops just short of it.

mod cases;
mod device;
mod ending;
mod evidence;
mod idle;
mod machine;
mod processes;
mod sensors;
mod steadiness;
