-- Read by psql after warehouse.sql: a database for metricwatch's own state, and the passwords, from the environment.
\getenv reader_password SHOP_READER_PASSWORD
\getenv loader_password SHOP_LOADER_PASSWORD
\getenv state_password STATE_PASSWORD
ALTER ROLE shop_reader PASSWORD :'reader_password';
ALTER ROLE shop_loader PASSWORD :'loader_password';
CREATE ROLE metricwatch LOGIN PASSWORD :'state_password';
CREATE DATABASE metricwatch OWNER metricwatch;
REVOKE ALL ON DATABASE metricwatch FROM PUBLIC;
