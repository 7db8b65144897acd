package edit

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	operationsDoc = "../../docs/template-operations.md"
	tableBegins   = "<!-- operations: made by go test ./template/edit -run Documented -update -->\n"
	tableEnds     = "<!-- end of operations -->\n"
)

// operationsTable is all operations with their fields, as the docs have them.
func operationsTable() string {
	var b strings.Builder
	for _, exact := range []bool{false, true} {
		if exact {
			b.WriteString("\n**Exact ones.** They are made as inverses and of what somebody types in the source; people and programs have better ones.\n")
		}
		b.WriteString("\n| operation | does | fields |\n|---|---|---|\n")
		for _, k := range Kinds() {
			if k.Exact != exact {
				continue
			}
			var fields []string
			for _, f := range k.Fields {
				name := "`" + f.Name + "`"
				if f.Required {
					name = "**" + name + "**"
				}
				about := f.Description
				if len(f.Enum) > 0 {
					about += ": " + strings.Join(f.Enum, ", ")
				}
				fields = append(fields, name+" "+strings.ReplaceAll(about, "|", `\|`))
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.Name, k.Summary, strings.Join(fields, "; "))
		}
	}
	return b.String() + "\n"
}

func TestEveryOperationIsDocumented(t *testing.T) {
	text, err := os.ReadFile(operationsDoc)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), tableBegins)
	table, after, ok := strings.Cut(rest, tableEnds)
	if !ok {
		t.Fatalf("%s has no place for the operations", operationsDoc)
	}
	if *update {
		if err := os.WriteFile(operationsDoc, []byte(before+tableBegins+operationsTable()+tableEnds+after), 0o644); err != nil { //nolint:gosec // of the repository
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(operationsTable(), table); diff != "" {
		t.Errorf("run with -update: %s", diff)
	}
}
