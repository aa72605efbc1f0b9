//! A persistent tree of weights: drawing, changing one value and taking a snapshot never look at all of them.

use std::sync::Arc;

/// Values with weights, at fixed places; a place may be empty, and then its weight does not count.
///
/// To draw and to change a value takes O(log n), and a clone is O(1) and keeps what it shows.
#[derive(Clone, Debug)]
pub(super) struct Lottery<V> {
    root: Option<Arc<Node<V>>>,
    places: usize,
}

#[derive(Clone, Debug)]
enum Node<V> {
    Leaf {
        weight: u32,
        value: Option<V>,
    },
    /// The first half of the places, and the rest.
    Branch {
        tickets: u64,
        halves: [Arc<Self>; 2],
    },
}

impl<V> Node<V> {
    fn tickets(&self) -> u64 {
        match self {
            Self::Leaf { weight, value: Some(_) } => u64::from(*weight),
            Self::Leaf { value: None, .. } => 0,
            Self::Branch { tickets, .. } => *tickets,
        }
    }

    fn branch(halves: [Arc<Self>; 2]) -> Self {
        Self::Branch { tickets: halves[0].tickets() + halves[1].tickets(), halves }
    }

    fn value(&self, mut ticket: u64) -> Option<&V> {
        let mut node = self;
        loop {
            match node {
                Self::Leaf { value, .. } => return value.as_ref(),
                Self::Branch { halves: [first, _], .. } if ticket < first.tickets() => node = first,
                Self::Branch { halves: [first, rest], .. } => {
                    ticket -= first.tickets();
                    node = rest;
                }
            }
        }
    }
}

impl<V: Clone> Node<V> {
    fn grow(leaves: &[(u32, Option<V>)]) -> Self {
        match leaves {
            [(weight, value)] => Self::Leaf { weight: *weight, value: value.clone() },
            _ => {
                let (first, rest) = leaves.split_at(leaves.len() / 2);
                Self::branch([first, rest].map(|half| Arc::new(Self::grow(half))))
            }
        }
    }

    /// Changes the value at `place` of `places`; a node that a clone of the tree shares is copied.
    fn set(self: &mut Arc<Self>, place: usize, places: usize, new: Option<V>) {
        match Arc::make_mut(self) {
            Self::Leaf { value, .. } => *value = new,
            Self::Branch { tickets, halves: [first, rest] } => {
                let half = places / 2;
                if place < half {
                    first.set(place, half, new);
                } else {
                    rest.set(place - half, places - half, new);
                }
                *tickets = first.tickets() + rest.tickets();
            }
        }
    }
}

impl<V: Clone> Lottery<V> {
    /// A place for each of these, in their order. The weights add up to at most 2^64 - 1.
    pub(super) fn new(leaves: &[(u32, Option<V>)]) -> Self {
        let root = (!leaves.is_empty()).then(|| Arc::new(Node::grow(leaves)));
        Self { root, places: leaves.len() }
    }

    /// Puts another value, or none, at a place. A place that there is not stays so.
    pub(super) fn set(&mut self, place: usize, value: Option<V>) {
        if let Some(root) = self.root.as_mut().filter(|_| place < self.places) {
            root.set(place, self.places, value);
        }
    }

    /// The value that wins by this random word, each as often as its weight says; `None` if there is no value.
    pub(super) fn draw(&self, word: u64) -> Option<&V> {
        let root = self.root.as_ref()?;
        root.value(((u128::from(word) * u128::from(root.tickets())) >> 64) as u64)
    }
}

impl<V: Clone> Default for Lottery<V> {
    fn default() -> Self {
        Self::new(&[])
    }
}
