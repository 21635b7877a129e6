mod lists;
mod plans;
mod standing;
