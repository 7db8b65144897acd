package element

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestColumnsAreExpressionsWithHeadingsAndPipes(t *testing.T) {
	const items = `[{"name":"Beans","qty":2,"price":"18.5","item":"own"},{"name":"Cup","qty":1,"price":null}]`
	tests := []struct {
		columns string
		want    tableData
	}{
		{"name", tableData{[]string{"name"}, []bool{false}, [][]string{{"Beans"}, {"Cup"}}}},
		{"qty * 2:Twice", tableData{[]string{"Twice"}, []bool{true}, [][]string{{"4"}, {"2"}}}},
		{`price:"Price, each"|currency('EUR', 'de-DE')`, tableData{[]string{"Price, each"}, []bool{true}, [][]string{{"18,50\u00a0€"}, {""}}}},
		{"(qty > 1 ? 'many' : 'one'):Buyer's count | uppercase,, name || 'x':Or", tableData{[]string{"Buyer's count", "Or"}, []bool{false, false}, [][]string{{"MANY", "Beans"}, {"ONE", "Cup"}}}},
		{"row.name:N, item:I", tableData{[]string{"N", "I"}, []bool{false, false}, [][]string{{"Beans", "own"}, {"Cup", `{"name":"Cup","price":null,"qty":1}`}}}},
	}
	for _, tt := range tests {
		e, data := tableOf(t, tt.columns, items)
		got, ok := decode[tableData]([]byte(data))
		if diff := cmp.Diff(tt.want, got); !ok || diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.columns, diff)
		}
		if e.Markup(data) == "" {
			t.Errorf("%s draws nothing", tt.columns)
		}
	}
}

func TestListsAndPlainValuesAreRowsToo(t *testing.T) {
	tests := []struct {
		items string
		want  tableData
	}{
		{`[["a",1],["b",22,true]]`, tableData{nil, []bool{false, true, false}, [][]string{{"a", "1", ""}, {"b", "22", "true"}}}},
		{`[3,null,"4"]`, tableData{nil, []bool{true}, [][]string{{"3"}, {""}, {"4"}}}},
		{`[{"a":1},2]`, tableData{[]string{"a", ""}, []bool{true, true}, [][]string{{"1", ""}, {"", "2"}}}},
	}
	for _, tt := range tests {
		_, data := tableOf(t, "", tt.items)
		got, _ := decode[tableData]([]byte(data))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.items, diff)
		}
	}
}

func tableOf(t *testing.T, columns, items string) (*Element, string) {
	e, err := New("table", map[string]string{"columns": columns})
	if err != nil {
		t.Fatal(err)
	}
	data, err := e.Data(mustValue(t, items), nil, env)
	if err != nil {
		t.Fatal(err)
	}
	return e, data
}
