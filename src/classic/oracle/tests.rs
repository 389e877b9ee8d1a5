//! Every oracle fails when it should, and only then.
