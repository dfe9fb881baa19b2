//! What a business does on which day.

use super::{Business, DAYS, End};

/// What a day brings, by the numbers of the people.
#[derive(Debug, Default, Clone)]
pub(super) struct Day {
    pub(super) created: Vec<usize>,
    /// With the number of the touch.
    pub(super) touched: Vec<(usize, usize)>,
    pub(super) qualified: Vec<usize>,
    pub(super) converted: Vec<usize>,
    pub(super) closed: Vec<usize>,
    pub(super) judged: Vec<usize>,
    /// With the number of the purchase.
    pub(super) bought: Vec<(usize, usize)>,
    pub(super) lost: Vec<usize>,
}

/// What happens on which day.
pub(super) fn agenda(business: &Business) -> Vec<Day> {
    let mut days = vec![Day::default(); DAYS as usize];
    let mut on = |day: u32, note: &dyn Fn(&mut Day)| {
        if let Some(day) = days.get_mut(day as usize) {
            note(day);
        }
    };
    for (who, person) in business.people.iter().enumerate() {
        for (touch, touched) in person.touches.iter().enumerate() {
            on(touched.day, &|day| {
                if touch == 0 {
                    day.created.push(who);
                }
                day.touched.push((who, touch));
            });
        }
        if let Some(qualified) = person.qualified {
            on(qualified, &|day| day.qualified.push(who));
        }
        match &person.end {
            End::Open => {}
            End::Closed(closed) => on(*closed, &|day| day.closed.push(who)),
            End::Converted(customer) => {
                on(customer.day, &|day| day.converted.push(who));
                for (purchase, (bought, _)) in customer.purchases.iter().enumerate() {
                    on(*bought, &|day| day.bought.push((who, purchase)));
                }
                if let Some((judged, _)) = customer.judged {
                    on(judged, &|day| day.judged.push(who));
                }
                if let Some(lost) = customer.lost {
                    on(lost, &|day| day.lost.push(who));
                }
            }
        }
    }
    days
}
