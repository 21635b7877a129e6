mod checkpoints;
mod live;
mod properties;
mod refold;
mod replay;
