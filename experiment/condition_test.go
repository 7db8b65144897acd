package experiment_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/experiment"
)

func TestConditions(t *testing.T) {
	facts := experiment.Facts{
		Device: "mobile", Country: "de", Time: time.Date(2026, 5, 4, 23, 30, 0, 0, time.UTC),
		Custom: map[string]string{"plan": "pro", "age": "9", "city": "Köln", "empty": ""},
	}
	for text, want := range map[string]bool{
		`{"type":"rule","property":"device","operator":"equals","value":"Mobile"}`:              true,
		`{"type":"rule","property":"device","operator":"not_equals","value":"mobile"}`:          false,
		`{"type":"rule","property":"device","operator":"in","value":["tablet","mobile"]}`:       true,
		`{"type":"rule","property":"device","operator":"not_in","value":["tablet","desktop"]}`:  true,
		`{"type":"rule","property":"country","operator":"equals","value":"DE"}`:                 true,
		`{"type":"rule","property":"custom.plan","operator":"equals","value":"pro"}`:            true,
		`{"type":"rule","property":"custom.plan","operator":"equals","value":"Pro"}`:            false,
		`{"type":"rule","property":"custom.city","operator":"contains","value":"öl"}`:           true,
		`{"type":"rule","property":"custom.age","operator":"gt","value":10}`:                    false,
		`{"type":"rule","property":"custom.age","operator":"lt","value":"10"}`:                  true,
		`{"type":"rule","property":"custom.age","operator":"gte","value":9.0}`:                  true,
		`{"type":"rule","property":"custom.age","operator":"lte","value":8}`:                    false,
		`{"type":"rule","property":"custom.plan","operator":"gt","value":"basic"}`:              true,
		`{"type":"rule","property":"custom.none","operator":"equals","value":""}`:               false,
		`{"type":"rule","property":"custom.none","operator":"not_equals","value":"x"}`:          false,
		`{"type":"rule","property":"custom.empty","operator":"equals","value":""}`:              true,
		`{"type":"rule","property":"time","operator":"between","value":["22:00","06:00"]}`:      true,
		`{"type":"rule","property":"time","operator":"between","value":["06:00","22:00"]}`:      false,
		`{"type":"rule","property":"time","operator":"between","value":["23:30","23:31"]}`:      true,
		`{"type":"rule","property":"time","operator":"between","value":["23:00","23:30"]}`:      false,
		`{"type":"rule","property":"time","operator":"gte","value":"23:30"}`:                    true,
		`{"type":"rule","property":"time","operator":"gt","value":"23:30"}`:                     false,
		`{"type":"rule","property":"time","operator":"lt","value":"2026-05-05T01:00:00+02:00"}`: false,
		`{"type":"rule","property":"time","operator":"lt","value":"2026-05-05T02:00:00+02:00"}`: true,
		`{"type":"rule","property":"browser","operator":"equals","value":"x"}`:                  false,
		`{"type":"group","operator":"AND","children":[{"type":"rule","property":"device","operator":"equals","value":"mobile"},{"type":"rule","property":"country","operator":"equals","value":"FR"}]}`:                                                    false,
		`{"type":"group","operator":"OR","children":[{"type":"rule","property":"device","operator":"equals","value":"mobile"},{"type":"rule","property":"country","operator":"equals","value":"FR"}]}`:                                                     true,
		`{"type":"group","operator":"OR","children":[{"type":"rule","property":"device","operator":"equals","value":"tablet"}]}`:                                                                                                                           false,
		`{"type":"group","operator":"AND","children":[{"type":"group","operator":"OR","children":[{"type":"rule","property":"country","operator":"in","value":["FR","DE"]}]},{"type":"rule","property":"custom.plan","operator":"equals","value":"pro"}]}`: true,
	} {
		var c experiment.Condition
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		if got := experiment.Holds(&c, facts); got != want {
			t.Errorf("%s is %v", text, got)
		}
	}
	for _, operator := range []string{"equals", "not_equals", "in", "not_in"} {
		c := experiment.Condition{Type: "rule", Property: "country", Operator: operator, Value: json.RawMessage(`["DE"]`)}
		if experiment.Holds(&c, experiment.Facts{}) {
			t.Errorf("%s holds for a country that nobody knows", operator)
		}
	}
}
