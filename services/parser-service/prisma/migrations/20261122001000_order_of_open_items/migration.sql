-- Open items in the order in which they are dispatched: nearest first, then by person. Without the person each round
-- sorted all items of a distance, tens of thousands of them, to take some dozens.
CREATE INDEX items_open_in_order ON items (import_id, kind, depth, person) WHERE state IN ('pending', 'called');
DROP INDEX items_open;
