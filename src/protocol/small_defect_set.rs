//! Sets of few defects: of worlds that have a list of their own, apart from [`Defect`](crate::Defect).

/// Defines the set of a list of at most 16 defects, and gives each defect of the list its name. The list has strum's
/// `EnumCount`, `EnumIter` and `IntoStaticStr`.
macro_rules! small_defect_set {
    ($set:ident of $defect:ident) => {
        impl $defect {
            /// Every defect, in order.
            pub fn all() -> impl Iterator<Item = Self> {
                <Self as strum::IntoEnumIterator>::iter()
            }

            /// Its name, lower case with hyphens.
            #[must_use]
            pub fn name(self) -> &'static str {
                self.into()
            }
        }

        impl core::fmt::Display for $defect {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.name())
            }
        }

        /// Which defects are switched on; empty in every run that means it.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $set {
            bits: u16,
        }

        const _: () =
            assert!(<$defect as strum::EnumCount>::COUNT <= 16, "the set holds one bit per defect");

        impl $set {
            /// No defect.
            pub const NONE: Self = Self { bits: 0 };

            /// Only `defect`.
            #[must_use]
            pub fn only(defect: $defect) -> Self {
                Self { bits: 1 << (defect as u16) }
            }

            /// Whether `defect` is switched on.
            #[must_use]
            pub fn has(self, defect: $defect) -> bool {
                self.bits & (1 << (defect as u16)) != 0
            }
        }

        impl FromIterator<$defect> for $set {
            fn from_iter<I: IntoIterator<Item = $defect>>(defects: I) -> Self {
                let bits = defects.into_iter().fold(0, |bits, defect| bits | 1 << (defect as u16));
                Self { bits }
            }
        }
    };
}

pub(crate) use small_defect_set;
