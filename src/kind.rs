//! Kinds of arguments. They let one method take a text, a value, or any iterator of them.
//!
//! A trait with a kind as its type parameter can be implemented for all texts *and* for all
//! iterators. The compiler finds out which kind is meant.

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
