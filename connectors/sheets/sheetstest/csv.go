package sheetstest

import (
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"strconv"
)

// plain are numbers that look the same once they were one: "007" and "1e3" are texts.
var plain = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,10})?$`)

// ReadCSV is a table as the rows of a sheet, its numbers and dates as such.
func ReadCSV(r io.Reader) ([][]any, error) {
	table := csv.NewReader(r)
	table.FieldsPerRecord = -1
	records, err := table.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read the table: %w", err)
	}
	rows := make([][]any, len(records))
	for i, record := range records {
		rows[i] = make([]any, len(record))
		for j, text := range record {
			rows[i][j] = fromText(text)
		}
	}
	return rows, nil
}

func fromText(text string) any {
	if text == "" {
		return nil
	}
	if plain.MatchString(text) {
		n, _ := strconv.ParseFloat(text, 64) // it looks like one
		return n
	}
	if c := typed(text); c.format.dated() && c.format.Type != "TIME" {
		return momentOf(c.value.(float64))
	}
	return text
}
