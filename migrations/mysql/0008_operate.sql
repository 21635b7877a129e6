-- What operators need: rebuilt views. MySQL cannot add what is missing only, and a step that
-- broke off is run again: so each statement is made only if it is needed.

-- `generation` counts how often the projector's tables were replaced by rebuilt ones: whoever projects into them has to
-- begin anew then. `outdated` marks tables that hold rows of an earlier version of the projector.
SET @step = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE checkpoints ADD COLUMN generation BIGINT NOT NULL DEFAULT 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'checkpoints' AND column_name = 'generation');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
SET @step = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE checkpoints ADD COLUMN outdated BIGINT NOT NULL DEFAULT 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'checkpoints' AND column_name = 'outdated');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
