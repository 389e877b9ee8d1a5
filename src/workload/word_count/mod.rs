//! w
mod reference;
mod text;
