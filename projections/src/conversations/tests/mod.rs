mod counts;
mod lists;
mod plans;
mod standing;
