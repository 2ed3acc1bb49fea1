//! Kinds of arguments, which let one method take a text, a value, or any iterator of them.
//!
//! A trait with a kind as its parameter can be implemented for everything that is a text *and* for
//! everything that can be iterated over; which one is meant, the compiler finds out.

/// Several values, each of the kind `K`.
#[derive(Debug)]
pub enum Many<K> {
    #[doc(hidden)]
    Never(std::convert::Infallible, std::marker::PhantomData<K>),
}

/// One value of a type of this crate.
#[derive(Debug)]
pub enum One {}

/// One name and one address.
#[derive(Debug)]
pub enum Pair {}

/// One text.
#[derive(Debug)]
pub enum Text {}
