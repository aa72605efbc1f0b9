//! A persistent vector, a tree 32 wide. Its values lie in the leaves themselves, so that to reach any of thousands takes
//! a few loads from memory.

use std::sync::Arc;

/// The width of the tree as a power of two.
const BITS: usize = 5;
const WIDTH: usize = 1 << BITS;

/// Up to [`WIDTH`] values or subtrees.
#[derive(Clone)]
enum Node<V> {
    Leaf(Arc<[V]>),
    Branch(Arc<[Self]>),
}

/// Values by place. A clone is O(1) and shares what neither changes; a change copies the pieces on its way.
#[derive(Clone)]
pub(super) struct Vector<V> {
    root: Node<V>,
    /// How many branches there are above each leaf.
    height: usize,
    len: usize,
}

impl<V> Default for Vector<V> {
    fn default() -> Self {
        Self { root: Node::Leaf(Arc::new([])), height: 0, len: 0 }
    }
}

impl<V> Vector<V> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, place: usize) -> Option<&V> {
        if place >= self.len {
            return None;
        }
        let (mut node, mut height) = (&self.root, self.height);
        loop {
            match node {
                Node::Leaf(values) => return values.get(place % WIDTH),
                Node::Branch(nodes) => node = nodes.get(turn(place, height))?,
            }
            height -= 1;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &V> {
        (0..self.len).filter_map(|place| self.get(place))
    }
}

impl<V: Clone> Vector<V> {
    /// Replaces the value at a place that has one.
    pub(super) fn set(&mut self, place: usize, value: V) {
        if place < self.len {
            self.root.set(place, self.height, value);
        }
    }

    pub(super) fn push(&mut self, value: V) {
        if self.len == WIDTH << (BITS * self.height) {
            self.root = Node::Branch(Arc::new([self.root.clone()]));
            self.height += 1;
        }
        self.root.push(self.len, self.height, value);
        self.len += 1;
    }

    /// Drops the last value, if there is one.
    pub(super) fn pop(&mut self) {
        if self.len == 0 {
            return;
        }
        self.root.pop();
        self.len -= 1;
        if let Node::Branch(nodes) = &self.root
            && let [only] = &**nodes
        {
            self.root = only.clone();
            self.height -= 1;
        }
    }
}

/// Which of a branch's nodes leads to the place, with so many branches from there down.
fn turn(place: usize, height: usize) -> usize {
    (place >> (BITS * height)) % WIDTH
}

impl<V: Clone> Node<V> {
    /// A tree with one value, so many branches high.
    fn lone(height: usize, value: V) -> Self {
        (0..height).fold(Self::Leaf(Arc::new([value])), |node, _| Self::Branch(Arc::new([node])))
    }

    fn set(&mut self, place: usize, height: usize, value: V) {
        match self {
            Self::Leaf(values) => Arc::make_mut(values)[place % WIDTH] = value,
            Self::Branch(nodes) => Arc::make_mut(nodes)[turn(place, height)].set(place, height - 1, value),
        }
    }

    fn push(&mut self, place: usize, height: usize, value: V) {
        match self {
            Self::Leaf(values) => *values = with(values, value),
            Self::Branch(nodes) => match Arc::make_mut(nodes).get_mut(turn(place, height)) {
                Some(node) => node.push(place, height - 1, value),
                None => *nodes = with(nodes, Self::lone(height - 1, value)),
            },
        }
    }

    /// Drops the last value, and the branches that lead to nothing then.
    fn pop(&mut self) {
        match self {
            Self::Leaf(values) => *values = without_last(values),
            Self::Branch(nodes) => {
                if let Some(last) = Arc::make_mut(nodes).last_mut() {
                    last.pop();
                }
                if nodes.last().is_some_and(Self::is_empty) {
                    *nodes = without_last(nodes);
                }
            }
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Leaf(values) => values.is_empty(),
            Self::Branch(nodes) => nodes.is_empty(),
        }
    }
}

fn with<T: Clone>(items: &[T], one: T) -> Arc<[T]> {
    items.iter().cloned().chain([one]).collect()
}

fn without_last<T: Clone>(items: &[T]) -> Arc<[T]> {
    items[..items.len().saturating_sub(1)].into()
}
