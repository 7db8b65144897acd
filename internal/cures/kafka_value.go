package cures

// NullIsNotEmpty tells a record's null value, a tombstone, from one of no bytes
// (connectors/kafka/value, Record.tombstone). Without it an empty value deletes its
// row (P2).
var NullIsNotEmpty = true

// UnavailableValues finds what Debezium has in place of a value that did not change
// (connectors/kafka/value, Decoder.fill). Without it the placeholder is a text of
// the row, and is drawn (P8).
var UnavailableValues = true

// RegistryOutages keeps a record for later whose schema can't be asked for
// (connectors/kafka/value, registry.get). Without it a registry that is away has
// records set aside that are in order (P10).
var RegistryOutages = true

// SchemasThatComeLate keeps a record for a moment whose schema the registry does not
// know yet (connectors/kafka/value, registry.missing). Without it a record that
// overtakes the word of its schema among the registry's servers is set aside (P10).
var SchemasThatComeLate = true
