-- A car park joins, is live, and may leave again; what was recorded of it stays.
-- The rows that are there are live, and so is what an older version writes.
ALTER TABLE lot
    ADD COLUMN stage text NOT NULL DEFAULT 'live'
        CONSTRAINT lot_stage_is_known CHECK (stage IN ('joining', 'live', 'removed')),
    ADD COLUMN live_at timestamptz,     -- null: since before this was kept
    ADD COLUMN removed_at timestamptz,
    ADD CONSTRAINT lot_removed_has_moment CHECK ((stage = 'removed') = (removed_at IS NOT NULL));
