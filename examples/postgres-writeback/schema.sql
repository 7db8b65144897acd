-- The shop's table as it was, and one more column for pictifyd.
CREATE TABLE IF NOT EXISTS products (
  sku        text PRIMARY KEY,
  name       text NOT NULL,
  category   text NOT NULL,
  price      numeric(10, 2) NOT NULL,
  stock      integer NOT NULL DEFAULT 0,
  active     boolean NOT NULL DEFAULT true,
  updated_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE products ADD COLUMN IF NOT EXISTS image_url text;

-- As many shops have it: also our write touches updated_at, which no picture shows.
CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER touched BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION touch();

INSERT INTO products (sku, name, category, price, stock) VALUES
  ('CH-107', 'Spindle Chair', 'Chairs', 340.00, 12),
  ('CH-112', 'Reading Chair', 'Chairs', 890.00, 2),
  ('CH-120', 'Folding Stool', 'Chairs', 79.00, 64),
  ('LA-201', 'Mushroom Lamp', 'Lamps', 145.50, 8),
  ('LA-204', 'Clamp Light', 'Lamps', 59.90, 31),
  ('LA-209', 'Paper Lantern', 'Lamps', 32.00, 0),
  ('TA-301', 'Trestle Table', 'Tables', 1250.00, 3),
  ('TA-305', 'Side Table', 'Tables', 210.00, 17),
  ('TX-402', 'Linen Throw', 'Textiles', 98.00, 40),
  ('TX-407', 'Wool Cushion', 'Textiles', 64.00, 5),
  ('KI-503', 'Stoneware Jug', 'Kitchen', 48.00, 22),
  ('KI-511', 'Bread Board', 'Kitchen', 39.00, 9)
ON CONFLICT DO NOTHING;
