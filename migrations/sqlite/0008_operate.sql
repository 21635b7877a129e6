-- What operators need: rebuilt views.

-- `generation` counts how often the projector's tables were replaced by rebuilt ones: whoever projects into them has to
-- begin anew then. `outdated` marks tables that hold rows of an earlier version of the projector.
ALTER TABLE checkpoints ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE checkpoints ADD COLUMN outdated INTEGER NOT NULL DEFAULT 0;
