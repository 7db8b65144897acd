// Package ladder makes every model one that calls tools and is told what is in
// pictures that it cannot see.
//
//	native   the model calls tools itself
//	schema   it writes one action as JSON, and its endpoint keeps it to a schema
//	text     it writes one action as JSON because it is asked to
//
// A conversation begins on the highest rung that the model's capabilities name. It
// goes down one, and stays there, when the endpoint does not do what the rung
// needs, or when two replies running were none that the rung knows. On the lower
// rungs a reply that is no action is sent back once with what is wrong with it.
package ladder
