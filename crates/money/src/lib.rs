//! Money that adds up: minor units, currencies, exact rates, splits that lose no cent.
