-- A frame of up to 4 KB stays in the row, two to a page: as much disk as its chunks beside it, without their
-- look-up.  (docs/adr/0025; rows that are there stay as they are.)
ALTER TABLE blob SET (toast_tuple_target = 4080);
ALTER TABLE queue_blob SET (toast_tuple_target = 4080);
