-- A small shop as a sample warehouse: three weeks of orders up to now, and a function that adds those since then.
-- Pure SQL, run once in an empty database by its superuser. Passwords are given in logins.sql.

CREATE TABLE orders (
    order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL,
    country text NOT NULL,
    amount_usd numeric(10, 2) NOT NULL
);

-- What is usual in each country; change `share` to 0.3 and 70 % of its orders are gone from then on.
CREATE TABLE traffic (
    country text PRIMARY KEY,
    orders_per_minute double precision NOT NULL,
    share double precision NOT NULL DEFAULT 1 CHECK (share >= 0)
);
INSERT INTO traffic (country, orders_per_minute) VALUES ('DE', 8), ('FR', 5), ('US', 12);

CREATE TABLE loaded (until timestamptz NOT NULL);
INSERT INTO loaded VALUES (date_trunc('minute', now()) - interval '21 days');

-- Quiet at night, busy in the evening, quieter at weekends; in UTC.
CREATE FUNCTION season(at timestamptz) RETURNS double precision LANGUAGE sql STABLE AS $$
    SELECT (1 - 0.7 * cos((extract(hour FROM at AT TIME ZONE 'UTC') - 6
                           + extract(minute FROM at AT TIME ZONE 'UTC') / 60) / 12 * pi()))
           * CASE WHEN extract(isodow FROM at AT TIME ZONE 'UTC') >= 6 THEN 0.75 ELSE 1 END
$$;

-- A third of the scatter that real orders would have, so that five minutes tell.
-- Adds the orders of all whole minutes since the last call; says how many. Two callers wait for each other.
CREATE FUNCTION load_orders(up_to timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    since timestamptz;
    added bigint;
BEGIN
    SELECT until INTO since FROM loaded FOR UPDATE;
    INSERT INTO orders (created_at, country, amount_usd)
    SELECT minute + random() * interval '1 minute', country, round((20 + 60 * random())::numeric, 2)
    FROM generate_series(since, date_trunc('minute', up_to) - interval '1 minute', interval '1 minute') AS minute
    CROSS JOIN traffic
    CROSS JOIN LATERAL (SELECT orders_per_minute * share * season(minute) AS rate) AS usual
    CROSS JOIN LATERAL generate_series(1, round(rate + 0.3 * sqrt(rate) * random_normal())::integer);
    GET DIAGNOSTICS added = ROW_COUNT;
    UPDATE loaded SET until = greatest(since, date_trunc('minute', up_to));
    RETURN added;
END
$$;

SELECT load_orders(now());
CREATE INDEX ON orders (created_at);
ANALYZE orders;

-- metricwatch reads with a role that can do nothing else; the loader can only add.
CREATE ROLE shop_reader LOGIN;
CREATE ROLE shop_loader LOGIN;
GRANT SELECT ON orders TO shop_reader;
ALTER ROLE shop_reader SET default_transaction_read_only = on;
GRANT INSERT ON orders TO shop_loader;
GRANT SELECT ON traffic TO shop_loader;
GRANT SELECT, UPDATE ON loaded TO shop_loader;
DO $$ BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END $$;
