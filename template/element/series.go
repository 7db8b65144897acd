package element

import (
	"github.com/pictifyd/pictifyd/expr"
)

const chartForms = "a chart takes a list of numbers, of {label, value}, or of {name, values}"

// readSeries finds the numbers in a row's value, and the labels that stand
// beside them.
func readSeries(v any) ([]series, []string, error) {
	switch v := v.(type) {
	case map[string]any:
		one, err := namedSeries(v, "")
		return []series{one}, nil, err
	case []any:
		switch v[0].(type) {
		case map[string]any:
			return objects(v)
		case []any:
			return lists(v)
		}
		values, err := numbers(v, "")
		return []series{{Values: values}}, nil, err
	}
	return nil, nil, bad("a chart needs a list, but the value is %s", describe(v)).WithHint(chartForms)
}

// objects are several series, or the labelled points of one.
func objects(items []any) ([]series, []string, error) {
	if first := items[0].(map[string]any); first["values"] != nil {
		if len(items) > chartSeries {
			return nil, nil, bad("a chart has at most %d series, and this one has %d", chartSeries, len(items))
		}
		var out []series
		for i, item := range items {
			object, _ := item.(map[string]any)
			s, err := namedSeries(object, place("series", i))
			if err != nil {
				return nil, nil, err
			}
			out = append(out, s)
		}
		return out, nil, nil
	}
	values, labels := make([]any, len(items)), make([]string, len(items))
	for i, item := range items {
		object, ok := item.(map[string]any)
		if _, has := object["value"]; !ok || !has {
			return nil, nil, bad("%s has no value", place("point", i)).WithHint(chartForms)
		}
		values[i], labels[i] = object["value"], expr.Text(object["label"])
	}
	points, err := numbers(values, "")
	return []series{{Values: points}}, labels, err
}

func namedSeries(object map[string]any, where string) (series, error) {
	values, ok := object["values"].([]any)
	if !ok {
		if where == "" {
			where = "the object"
		}
		return series{}, bad("%s has no list of values", where).WithHint(chartForms)
	}
	points, err := numbers(values, where)
	return series{expr.Text(object["name"]), points}, err
}

func lists(items []any) ([]series, []string, error) {
	if len(items) > chartSeries {
		return nil, nil, bad("a chart has at most %d series, and this one has %d", chartSeries, len(items))
	}
	var out []series
	for i, item := range items {
		values, ok := item.([]any)
		if !ok {
			return nil, nil, bad("%s is %s, not a list", place("series", i), describe(item)).WithHint(chartForms)
		}
		points, err := numbers(values, place("series", i))
		if err != nil {
			return nil, nil, err
		}
		out = append(out, series{Values: points})
	}
	return out, nil, nil
}

// numbers are the values of a series; what is missing is a gap.
func numbers(items []any, where string) ([]*float64, error) {
	if len(items) > chartPoints {
		return nil, bad("a chart has at most %d points, and this one has %d", chartPoints, len(items))
	}
	if where != "" {
		where += ", "
	}
	out := make([]*float64, len(items))
	for i, item := range items {
		if empty(item) {
			continue
		}
		f, ok := expr.Number(item)
		switch {
		case !ok:
			return nil, bad("%s is %s, not a number", where+place("point", i), describe(item)).WithHint(chartForms)
		case !drawable(f):
			return nil, bad("%s is %s, beyond what a chart can draw", where+place("point", i), describe(item))
		}
		f = noDust(f)
		out[i] = &f
	}
	return out, nil
}

func place(what string, i int) string { return what + " " + exact(float64(i+1)) }
