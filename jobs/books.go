package jobs

import (
	"time"

	"hospay/books"
)

// Statements fetches the bills of yesterday and what is still missing.
func Statements(books *books.Service) Job {
	return Job{Name: "statements", Every: 10 * time.Minute, Run: books.FetchDue}
}

// Receipts collects the electronic receipts (电子回单) of transfers.
func Receipts(books *books.Service) Job {
	return Job{Name: "receipts", Every: time.Minute, Run: books.CollectReceipts}
}

// Reconcile runs the reconciliation of every day that wants it.
func Reconcile(books *books.Service) Job {
	return Job{Name: "reconcile", Every: 10 * time.Minute, Run: books.RunDue}
}
