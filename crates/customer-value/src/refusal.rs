//! Why a figure does not exist: a refusal is an answer, a number in its place would be a lie.

/// Why a model was not fitted, or a customer has no score.
///
/// The display form is the reason code that travels over the wire; [`Refusal::advice`] says what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Nobody ever came back, so nothing is known about coming back.
    #[error("{}", self.name())]
    NoRepeatPurchases,
    /// Fewer customers with a repeat purchase than [`MINIMUM_REPEATERS`].
    #[error("{}", self.name())]
    NotEnoughData,
    /// All customers are the same, so nothing can be learned from their differences.
    #[error("{}", self.name())]
    NoVariation,
    /// The likelihood keeps growing towards a parameter of 0 or infinity.
    #[error("{}", self.name())]
    AtBoundary,
    /// The fitted distribution of spend has no mean (Gamma-Gamma, q <= 1).
    #[error("{}", self.name())]
    InfiniteMeanSpend,
    /// Amounts of different currencies are never added together.
    #[error("{}", self.name())]
    MixedCurrency,
    /// A contract model needs two periods with losses and survivors.
    #[error("{}", self.name())]
    NotEnoughPeriods,
    /// The customer had not bought anything yet.
    #[error("{}", self.name())]
    NotFoundAsOf,
}

/// A fit rests on at least this many customers who came back.
pub const MINIMUM_REPEATERS: u64 = 50;

impl Refusal {
    /// The reason code: the same as the display form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoRepeatPurchases => "NO_REPEAT_PURCHASES",
            Self::NotEnoughData => "NOT_ENOUGH_DATA",
            Self::NoVariation => "NO_VARIATION",
            Self::AtBoundary => "AT_BOUNDARY",
            Self::InfiniteMeanSpend => "INFINITE_MEAN_SPEND",
            Self::MixedCurrency => "MIXED_CURRENCY",
            Self::NotEnoughPeriods => "NOT_ENOUGH_PERIODS",
            Self::NotFoundAsOf => "NOT_FOUND_AS_OF",
        }
    }

    /// One sentence for the person who asked.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::NoRepeatPurchases => "no customer has bought on a second day yet",
            Self::NotEnoughData => "fewer than 50 customers with repeat purchases (or spend)",
            Self::NoVariation => {
                "all customers have the same history, so the model cannot be told apart"
            }
            Self::AtBoundary => {
                "the data do not determine all parameters: the best fit lies at 0 or infinity"
            }
            Self::InfiniteMeanSpend => {
                "the fitted spend has no finite mean (q <= 1), so no value can be stated"
            }
            Self::MixedCurrency => {
                "the amounts carry more than one currency; give one currency at a time"
            }
            Self::NotEnoughPeriods => {
                "at least two periods with both losses and survivors are needed"
            }
            Self::NotFoundAsOf => "the customer's first purchase is after this date",
        }
    }
}

/// Why a row of a table cannot be true. It is rejected, never corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BadRow {
    /// A time is not a finite number.
    #[error("a time is not a finite number")]
    NotFinite,
    /// The first purchase is after `as_of` (T < 0), or before time began (tx < 0).
    #[error("a time is negative")]
    Negative,
    /// The last purchase is after `as_of`.
    #[error("the last purchase is after as_of (tx > T)")]
    LastAfterAsOf,
    /// `x = 0` says there was no repeat purchase, `tx > 0` says there was.
    #[error("no repeat purchase (x = 0), but a last purchase after the first (tx > 0)")]
    LastWithoutRepeat,
    /// `x > 0` says there was a repeat purchase on a later day, `tx = 0` says there was none.
    #[error("repeat purchases (x > 0), but the last purchase is the first (tx = 0)")]
    RepeatWithoutLast,
    /// More repeat days than there are days.
    #[error("more repeat purchase days than days between the first and the last")]
    TooManyDays,
}
