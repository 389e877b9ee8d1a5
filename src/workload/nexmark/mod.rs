//! n
mod generator;
mod q1;
mod q12;
mod q3;
mod q5;
mod q7;
