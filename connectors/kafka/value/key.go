package value

import (
	"context"
	"errors"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/connectors"
)

// A recordKey is a record's key, which is read at most once, and only where it is needed.
type recordKey struct {
	decoder *Decoder
	record  Record

	done  bool
	value any // nil is null
	err   error
}

func (k *recordKey) read(ctx context.Context) (any, error) {
	if !k.done {
		k.done = true
		k.value, k.err = k.decoder.readKey(ctx, k.record)
	}
	return k.value, k.err
}

// readKey reads a record's key; null is nil. The error is a *flaw where the key is
// not of its format.
func (d *Decoder) readKey(ctx context.Context, r Record) (any, error) {
	if r.Key == nil {
		return nil, nil
	}
	switch format := d.cfg.keyFormat(); format {
	case None:
		return nil, nil
	case Text:
		if !utf8.Valid(r.Key) {
			return nil, flawed(BadKey, "the record's key is no UTF-8: see whether key_format is avro or none")
		}
		return string(r.Key), nil
	default:
		p, err := d.parse(ctx, r.Key, format)
		var bad *flaw
		switch {
		case errors.As(err, &bad) && bad.reason == badRecord:
			return nil, flawed(BadKey, "the record's key as %s: %s", format, bad.detail)
		case errors.As(err, &bad):
			return nil, flawed(bad.reason, "the record's key: %s", bad.detail)
		case err != nil:
			return nil, err
		case p.shape != nil:
			value, err := p.shape.convert(p.value)
			if err != nil {
				return nil, flawed(BadKey, "the record's key %s", err)
			}
			return value, nil
		}
		return p.value, nil
	}
}

// identify is the key of the row that v shows. Key columns that it does not have come
// from the record's key, and stand in the row then.
func (d *Decoder) identify(ctx context.Context, v *view, k *recordKey) ([]any, error) {
	switch {
	case d.programs.rowKey != nil:
		key, bad := v.rowKey(d.programs.rowKey)
		if bad != nil {
			return nil, bad
		}
		return key, nil
	case len(d.key) == 0:
		return d.identifyBuried(ctx, v, k)
	}
	if key, all := pick(d.key, v.row); all {
		return key, nil
	}
	value, err := k.read(ctx)
	var bad *flaw
	if err != nil && !errors.As(err, &bad) {
		return nil, err
	}
	parts := columnsOf(d.key, value)
	for i, column := range d.key {
		if v.row[column] == nil && parts != nil && parts[i] != nil {
			v.row[column] = parts[i]
		}
	}
	key, all := pick(d.key, v.row)
	if all {
		return key, nil
	}
	missing := d.key[slices.Index(key, nil)]
	if bad != nil {
		return nil, flawed(NullKey, "the key column %q is missing or null, and %s", missing, bad.detail)
	}
	return nil, flawed(NullKey, "the key column %q is missing or null, and the record's key has none", missing)
}

// identifyBuried is the key of a row of which there is only the record's key.
func (d *Decoder) identifyBuried(ctx context.Context, v *view, k *recordKey) ([]any, error) {
	if d.programs.rowKey != nil {
		if readsValue(d.programs.rowKey) {
			return nil, flawed(KeylessTombstone, "the value is null, so its row is deleted, and row_key reads the value to know which")
		}
		key, bad := v.rowKey(d.programs.rowKey)
		if bad != nil {
			return nil, bad
		}
		return key, nil
	}
	value, err := k.read(ctx)
	switch {
	case err != nil:
		return nil, err
	case value == nil && d.cfg.keyFormat() == None:
		return nil, flawed(KeylessTombstone, "the value is null, so its row is deleted, and key_format: none does not tell which")
	case value == nil, value == "":
		return nil, flawed(NullKey, "the record has no key")
	case len(d.key) == 0:
		return partsOf(value), nil
	}
	parts := columnsOf(d.key, value)
	if at := slices.Index(parts, nil); parts == nil || at >= 0 {
		return nil, flawed(KeylessTombstone, "the value is null, so its row is deleted, and the record's key, %s, does not have the key columns %s",
			kindOf(value), connectors.Quoted(d.key))
	}
	return parts, nil
}

// pick is the columns of a row, and whether it has them all.
func pick(columns []string, row map[string]any) (key []any, all bool) {
	key = connectors.KeyOf(columns, row)
	return key, !slices.Contains(key, nil)
}

// columnsOf are the key columns as a record's key has them; nil where it has not
// as many.
func columnsOf(columns []string, key any) []any {
	switch key := key.(type) {
	case nil:
		return nil
	case map[string]any:
		return connectors.KeyOf(columns, key)
	case []any:
		if len(key) == len(columns) {
			return key
		}
		return nil
	}
	if len(columns) == 1 {
		return []any{key}
	}
	return nil
}

// partsOf is a record's key as a row has it: the members of an object in the order
// of their names, so that nobody's writing changes it.
func partsOf(key any) []any {
	switch key := key.(type) {
	case map[string]any:
		return connectors.KeyOf(slices.Sorted(maps.Keys(key)), key)
	case []any:
		return key
	}
	return []any{key}
}
