//! The shortest form of a history that still breaks the contract.

/// Leaves out runs of steps, long ones first, as long as `breach` still finds one.
pub(super) fn shortest<S: Clone, B>(
    mut steps: Vec<S>,
    mut found: B,
    breach: impl Fn(&[S]) -> Option<B>,
) -> (Vec<S>, B) {
    let mut run = steps.len();
    while run > 0 {
        let mut at = 0;
        while at < steps.len() {
            let end = steps.len().min(at + run);
            let fewer: Vec<S> = steps[..at].iter().chain(&steps[end..]).cloned().collect();
            match breach(&fewer) {
                Some(still) => (steps, found) = (fewer, still),
                None => at = end,
            }
        }
        run /= 2;
    }
    (steps, found)
}
