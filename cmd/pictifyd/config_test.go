package main

import (
	"encoding/json"
	"testing"
)

func TestConfigSchemaIsJSON(t *testing.T) {
	code, stdout, stderr := call("config", "schema")
	var schema struct {
		Title string
		Defs  map[string]any `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(stdout), &schema); err != nil || code != exitDone {
		t.Fatalf("exit code %d, %v: %s", code, err, stderr)
	}
	if schema.Title != "pictifyd.yaml" || schema.Defs["source.file"] == nil {
		t.Errorf("the schema is %q with %d definitions", schema.Title, len(schema.Defs))
	}
}
