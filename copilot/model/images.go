package model

// KeepNewest leaves most pictures in the messages, the last ones, and replaces
// text by note where others stood. The messages that it is given stay as they are.
func KeepNewest(messages []Message, most int, note string) []Message {
	kept := make([]Message, len(messages))
	copy(kept, messages)
	for i := len(kept) - 1; i >= 0; i-- {
		m := &kept[i]
		gone := len(m.Images) - most
		most = max(most-len(m.Images), 0)
		if gone <= 0 {
			continue
		}
		m.Images = m.Images[gone:]
		for range gone {
			if m.Text != "" {
				m.Text += "\n"
			}
			m.Text += note
		}
	}
	return kept
}
