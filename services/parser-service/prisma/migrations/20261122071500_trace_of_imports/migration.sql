-- The trace of the request that began the import (W3C traceparent): its first calls belong to it, the others name it.
ALTER TABLE imports ADD COLUMN traceparent text;
