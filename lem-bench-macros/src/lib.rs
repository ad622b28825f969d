//! `#[energy_bench]`: parse, expand, tokens; nothing else.
