//! Declaring state: an operator's constructor names each piece and gets a typed handle to it.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::broadcast_state::BroadcastState;

/// What a piece of state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateKind {
    /// One value per key.
    Value,
    /// A list per key.
    List,
    /// A map per key.
    Map,
    /// A list per subtask; its elements are dealt out anew when the number of subtasks changes.
    Operator,
    /// A list per subtask; at every restore everybody gets the elements of all.
    Union,
    /// A list that is the same in every subtask; a new subtask gets a copy.
    Broadcast,
}

impl StateKind {
    /// Whether it is a list of the subtask, whatever the key.
    #[must_use]
    pub fn is_operator_list(self) -> bool {
        match self {
            StateKind::Operator | StateKind::Union | StateKind::Broadcast => true,
            StateKind::Value | StateKind::List | StateKind::Map => false,
        }
    }
}

/// The name and kind of a piece of state; snapshots carry them, so that another operator's is refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateShape {
    /// Unique in its operator.
    pub name: String,
    /// What it is.
    pub kind: StateKind,
}

/// Collects what state an operator has; passed to its constructor.
#[derive(Clone, Debug, Default)]
pub struct StateDeclarations {
    keyed: Vec<StateShape>,
    operator: Vec<StateShape>,
}

impl StateDeclarations {
    /// Whether nothing is declared.
    pub(crate) fn is_empty(&self) -> bool {
        self.keyed.is_empty() && self.operator.is_empty()
    }

    /// Declares one value per key.
    pub fn value<T>(&mut self, name: &str) -> ValueState<T> {
        ValueState::at(declare(&mut self.keyed, name, StateKind::Value))
    }

    /// Declares a list per key.
    pub fn list<T>(&mut self, name: &str) -> ListState<T> {
        ListState::at(declare(&mut self.keyed, name, StateKind::List))
    }

    /// Declares a map per key.
    pub fn map<K, V>(&mut self, name: &str) -> MapState<K, V> {
        MapState::at(declare(&mut self.keyed, name, StateKind::Map))
    }

    /// Declares a list that belongs to the subtask, whatever the key; after a rescale its elements are
    /// dealt out to the subtasks in turn.
    pub fn operator_list<T>(&mut self, name: &str) -> OperatorState<T> {
        OperatorState::at(declare(&mut self.operator, name, StateKind::Operator))
    }

    /// Declares a list that belongs to the subtask; after a restore every subtask has the elements of all, in
    /// the order of the subtasks (Flink: `getUnionListState`).
    ///
    /// What a subtask does not own it must take out when it is [restored](super::Operator::on_restore): what
    /// it keeps is in its next snapshot too, so that the elements double with every restore.
    pub fn union_list<T>(&mut self, name: &str) -> OperatorState<T> {
        OperatorState::at(declare(&mut self.operator, name, StateKind::Union))
    }

    /// Declares a list that is the same in all subtasks, which the operator must see to: by filling it
    /// from a stream that is broadcast by one subtask only.
    pub fn broadcast_list<T>(&mut self, name: &str) -> OperatorState<T> {
        OperatorState::at(declare(&mut self.operator, name, StateKind::Broadcast))
    }

    /// Declares a map that is the same in all subtasks, for a
    /// [`KeyedBroadcastOperator`](super::KeyedBroadcastOperator).
    pub fn broadcast_map<K, V>(&mut self, name: &str) -> BroadcastState<K, V> {
        BroadcastState::at(declare(&mut self.operator, name, StateKind::Broadcast))
    }

    /// How many pieces each key has.
    pub(crate) fn keyed_count(&self) -> usize {
        self.keyed.len()
    }

    /// How many lists the subtask has.
    pub(crate) fn operator_count(&self) -> usize {
        self.operator.len()
    }

    /// All declarations: keyed state, then operator state, each in order.
    pub(crate) fn shapes(&self) -> Vec<StateShape> {
        self.keyed.iter().chain(&self.operator).cloned().collect()
    }

    /// Whether there is a union list.
    pub(crate) fn has_union(&self) -> bool {
        self.operator.iter().any(|shape| shape.kind == StateKind::Union)
    }

    /// The first piece of keyed state, if there is one.
    pub(crate) fn first_keyed(&self) -> Option<&StateShape> {
        self.keyed.first()
    }

    /// A name that was declared twice, if there is one.
    pub(crate) fn duplicate(&self) -> Option<String> {
        let names: Vec<_> = self.shapes().into_iter().map(|shape| shape.name).collect();
        let repeated = |(index, name): (usize, &String)| names[..index].contains(name);
        names.iter().enumerate().find(|entry| repeated(*entry)).map(|(_, name)| name.clone())
    }
}

fn declare(shapes: &mut Vec<StateShape>, name: &str, kind: StateKind) -> u16 {
    let slot = u16::try_from(shapes.len()).expect("an operator declares fewer than 65,536 states");
    shapes.push(StateShape { name: name.to_owned(), kind });
    slot
}

/// Defines a typed handle to declared state.
macro_rules! handle {
    ($(#[$doc:meta])* $name:ident<$($param:ident),+>) => {
        $(#[$doc])*
        pub struct $name<$($param),+> {
            pub(crate) slot: u16,
            _values: PhantomData<fn($($param),+)>,
        }

        impl<$($param),+> $name<$($param),+> {
            fn at(slot: u16) -> Self {
                Self { slot, _values: PhantomData }
            }
        }

        impl<$($param),+> Clone for $name<$($param),+> {
            fn clone(&self) -> Self {
                Self::at(self.slot)
            }
        }

        impl<$($param),+> fmt::Debug for $name<$($param),+> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.slot)
            }
        }
    };
}

handle! {
    /// A handle to one value per key; [`Context::value`](super::Context::value) opens it.
    ValueState<T>
}
handle! {
    /// A handle to a list per key; [`Context::list`](super::Context::list) opens it.
    ListState<T>
}
handle! {
    /// A handle to a map per key; [`Context::map`](super::Context::map) opens it.
    MapState<K, V>
}
handle! {
    /// A handle to a list per subtask; [`Context::operator_list`](super::Context::operator_list) opens it.
    OperatorState<T>
}
