-- Tables, indices, joins, aggregates, triggers, views, common table expressions, text and JSON functions.
CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price REAL, kind INTEGER);
CREATE TABLE sale(id INTEGER PRIMARY KEY, item INTEGER REFERENCES item(id), count INTEGER, day TEXT);
CREATE INDEX sale_item ON sale(item);
CREATE TABLE log(message TEXT);
CREATE TRIGGER sold AFTER INSERT ON sale WHEN new.count > 8 BEGIN
  INSERT INTO log VALUES ('large sale of ' || new.item);
END;
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
INSERT INTO item SELECT i, printf('item %05d', (i * 7919) % 4001), (i * 31 % 1000) / 10.0, i % 13 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
INSERT INTO sale SELECT i, 1 + (i * 104729) % 4000, 1 + i % 10, date('2020-01-01', '+' || (i % 365) || ' days') FROM n;
COMMIT;
SELECT count(*), sum(count), min(day), max(day) FROM sale;
SELECT kind, count(*), round(sum(price * count), 2) FROM sale JOIN item ON item.id = sale.item GROUP BY kind ORDER BY kind;
SELECT name, sum(count) AS total FROM item JOIN sale ON sale.item = item.id GROUP BY name ORDER BY total DESC, name LIMIT 5;
CREATE VIEW best AS SELECT item, sum(count) AS total FROM sale GROUP BY item HAVING total > 30;
SELECT count(*) FROM best;
SELECT substr(name, 1, 6) AS prefix, group_concat(kind, '') FROM (SELECT * FROM item ORDER BY id LIMIT 40) GROUP BY prefix;
SELECT count(DISTINCT message) FROM log;
UPDATE item SET price = price * 2 WHERE name LIKE '%7%';
DELETE FROM sale WHERE item IN (SELECT id FROM item WHERE kind = 4);
SELECT count(*), (SELECT round(sum(price), 1) FROM item) FROM sale;
SELECT row_number() OVER (PARTITION BY kind ORDER BY price DESC, id), id FROM item WHERE id < 30 LIMIT 7;
SELECT json_extract('{"a":[1,{"b":2}]}', '$.a[1].b'), json_array_length('[1,2,3]');
WITH RECURSIVE fib(a, b) AS (VALUES (0, 1) UNION ALL SELECT b, a + b FROM fib WHERE a < 1000) SELECT max(a) FROM fib;
CREATE TABLE copy AS SELECT * FROM sale ORDER BY day, id;
CREATE INDEX copy_day ON copy(day, count);
ANALYZE;
EXPLAIN QUERY PLAN SELECT * FROM copy WHERE day = '2020-02-03' AND count > 3;
PRAGMA integrity_check;
