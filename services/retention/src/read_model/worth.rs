//! What a customer is worth by what it left: the one place that knows the method and its assumptions.

use customer_value::Simple;
use money::Currency;

/// The method SIMPLE with its assumptions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Worth(Simple);

impl Worth {
    /// By these assumptions, whatever the currency.
    pub(crate) const fn simple(simple: Simple) -> Self {
        Self(simple)
    }

    /// The value, in minor units, of a customer who left this margin in the trailing year. It never falls
    /// where the margin rises: the work list is kept in the order of margins.
    pub(crate) fn of(self, _currency: Currency, margin: i64) -> i64 {
        self.0.value(margin)
    }
}
