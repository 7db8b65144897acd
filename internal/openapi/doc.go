// Package openapi holds the part of OpenAPI 3.1 that describes an API of JSON
// and files, and makes its schemas from Go types.
//
// A schema says what encoding/json writes: a field without omitempty is
// required, a pointer may be null, a struct with a name is a component of its
// own that others refer to. What Go does not tell (words, formats, the meaning
// of a field) the user of the package adds through [Schemas].
package openapi
