// Package sheetstest is an emulator of the Google Sheets API, version 4, and of
// the part of the Drive API that tells when a file was modified: an
// http.Handler for tests, and for trying pictifyd without an account.
//
// Its answers have the form that the API's description gives them, which a test
// checks with the description that the official client carries; what requests
// and answers look like stands in testdata/contract.json. Formulas are not
// calculated: their value is what the cell was given.
package sheetstest
