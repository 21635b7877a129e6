-- How far people have read. `unread_by_agents` counts the messages of the visitor that no agent has seen, `unread_by_visitor`
-- those of agents that the visitor has not seen; `seen_up_to` is a JSON list of readers with their positions. A step that
-- broke off is run again: so each statement is made only if it is needed.

SET @step = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE conversations ADD COLUMN unread_by_agents BIGINT NOT NULL DEFAULT 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'conversations' AND column_name = 'unread_by_agents');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
SET @step = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE conversations ADD COLUMN unread_by_visitor BIGINT NOT NULL DEFAULT 0')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'conversations' AND column_name = 'unread_by_visitor');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
SET @step = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE conversations ADD COLUMN seen_up_to LONGTEXT NOT NULL DEFAULT (''[]'')')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'conversations' AND column_name = 'seen_up_to');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
