// Package fields is what the expressions of a sink's configuration read of a
// delivery: one set of names for every kind.
package fields

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/sink"
)

// names are those that there are for every delivery; of the picture they are
// those of the first output that has one, unless an expression is about one output.
var names = []string{
	"key", "keys", "row", "binding", "generation", "event", "time", "id", "outputs",
	"output", "url", "hash", "ext", "format", "width", "height", "latest_url", "latest_path",
	"variant", "click_url",
}

// Names are what an expression may read.
func Names() []string { return slices.Clone(names) }

// Of is the values for an expression about the whole row.
func Of(d sink.Delivery) map[string]any {
	var first sink.Output
	for _, o := range d.Outputs {
		if o.Error == "" && o.Hash != "" {
			first = o
			break
		}
	}
	return OfOutput(d, first)
}

// OfOutput is the values for an expression about one output of the row.
func OfOutput(d sink.Delivery, o sink.Output) map[string]any {
	outputs := make(map[string]any, len(d.Outputs))
	for _, each := range d.Outputs {
		outputs[each.Name] = ofOutput(each)
	}
	values := ofOutput(o)
	values["output"] = o.Name
	values["outputs"] = outputs
	values["keys"], values["key"] = keys(d.Key)
	values["row"] = d.Row
	values["binding"] = d.Binding
	values["generation"] = number(d.Generation)
	values["event"] = d.Event
	values["time"] = d.Time.UTC().Format(time.RFC3339Nano) // a text, as moments are in rows
	values["id"] = d.ID
	values["variant"], values["click_url"] = textOrNil(d.Variant), textOrNil(d.ClickURL)
	return values
}

// ofOutput is the values of a picture; of one that there is not they are nil, so
// that a text that needs them is an error and a column becomes null.
func ofOutput(o sink.Output) map[string]any {
	values := map[string]any{
		"url": nil, "hash": nil, "ext": nil, "format": nil, "width": nil, "height": nil, "latest_url": nil, "latest_path": nil,
	}
	if o.Hash == "" || o.Error != "" {
		return values
	}
	values["url"], values["hash"], values["ext"], values["format"] = o.URL, o.Hash, o.Ext, o.Format
	values["width"], values["height"] = number(int64(o.Width)), number(int64(o.Height))
	if path := LatestPath(o); path != "" {
		values["latest_url"], values["latest_path"] = o.Latest, path
	}
	return values
}

// LatestPath is the address of the row's newest picture from its host's slash on,
// as it is encoded; "" where it has none.
func LatestPath(o sink.Output) string {
	u, err := url.Parse(o.Latest)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(u.RequestURI(), "/")
}

// textOrNil is a text that not every row has, so that a text which needs it is an
// error and a column becomes null.
func textOrNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// number is n as numbers of rows are.
func number(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

// keys are the key's columns as they are in the row, and the key itself: the one
// column, or of several the form that stands in addresses.
func keys(key string) (columns []any, whole string) {
	for column := range strings.SplitSeq(key, ",") {
		text, err := url.PathUnescape(column)
		if err != nil {
			return []any{key}, key
		}
		columns = append(columns, text)
	}
	if len(columns) == 1 {
		return columns, columns[0].(string)
	}
	return columns, key
}
