//! The lines of a statement and the customers it counts.

use serde::{Deserialize, Serialize};

/// The eight lines of a statement, in minor units. Eroded and lost are negative or 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lines {
    /// What customers were worth at the start.
    pub opening: i64,
    /// Customers who became one.
    pub created: i64,
    /// Lost ones who came back.
    pub won_back: i64,
    /// Customers who are worth more.
    pub grown: i64,
    /// Customers who are worth less.
    pub eroded: i64,
    /// Customers who were lost.
    pub lost: i64,
    /// The same customers, valued with other assumptions.
    pub remeasured: i64,
    /// What customers are worth at the end.
    pub closing: i64,
}

/// Customers. `opening + created + won_back - lost = closing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Active at the start.
    pub opening: i64,
    /// Relationships that began.
    pub created: i64,
    /// Relationships that were taken up again.
    pub won_back: i64,
    /// Relationships that ended.
    pub lost: i64,
    /// Active at the end.
    pub closing: i64,
}

/// A line of the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Line {
    /// [`Lines::opening`].
    Opening,
    /// [`Lines::created`].
    Created,
    /// [`Lines::won_back`].
    WonBack,
    /// [`Lines::grown`].
    Grown,
    /// [`Lines::eroded`].
    Eroded,
    /// [`Lines::lost`].
    Lost,
    /// [`Lines::remeasured`].
    Remeasured,
    /// [`Lines::closing`].
    Closing,
}

impl Line {
    /// All of them, as a statement shows them.
    pub const ALL: [Self; 8] = [
        Self::Opening,
        Self::Created,
        Self::WonBack,
        Self::Grown,
        Self::Eroded,
        Self::Lost,
        Self::Remeasured,
        Self::Closing,
    ];
}

impl Lines {
    /// Whether the lines lead from the opening to the closing.
    pub fn add_up(&self) -> bool {
        let movements = [
            self.created,
            self.won_back,
            self.grown,
            self.eroded,
            self.lost,
            self.remeasured,
        ];
        let moved: i128 = movements.map(i128::from).iter().sum();
        i128::from(self.opening) + moved == i128::from(self.closing)
    }

    pub(super) fn plus(&self, other: &Self) -> Option<Self> {
        Some(Self {
            opening: self.opening.checked_add(other.opening)?,
            created: self.created.checked_add(other.created)?,
            won_back: self.won_back.checked_add(other.won_back)?,
            grown: self.grown.checked_add(other.grown)?,
            eroded: self.eroded.checked_add(other.eroded)?,
            lost: self.lost.checked_add(other.lost)?,
            remeasured: self.remeasured.checked_add(other.remeasured)?,
            closing: self.closing.checked_add(other.closing)?,
        })
    }
}

impl Counts {
    /// Whether the counts lead from the opening to the closing.
    pub const fn add_up(&self) -> bool {
        self.opening + self.created + self.won_back - self.lost == self.closing
    }

    pub(super) fn plus(&self, other: &Self) -> Option<Self> {
        Some(Self {
            opening: self.opening.checked_add(other.opening)?,
            created: self.created.checked_add(other.created)?,
            won_back: self.won_back.checked_add(other.won_back)?,
            lost: self.lost.checked_add(other.lost)?,
            closing: self.closing.checked_add(other.closing)?,
        })
    }
}
