package his

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"hospay/sim"
)

func (s *Server) postBill(w http.ResponseWriter, r *http.Request) {
	var in Bill
	d := json.NewDecoder(io.LimitReader(r.Body, 1<<16))
	d.DisallowUnknownFields()
	err := d.Decode(&in)
	no := ""
	if err == nil {
		no, err = s.AddBill(in)
	}
	if err != nil {
		sim.WriteJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	sim.WriteJSON(w, 200, map[string]string{"bill_no": no})
}

// payAtWindow pays a bill at the window of the hospital.
func (s *Server) payAtWindow(no string, _ url.Values) error {
	return s.desk.withBill(no, func(b *bill) error {
		if err := b.payable(); err != nil {
			return err
		}
		b.state = billWindow
		return nil
	})
}

// setPrice changes what a bill costs: ?amount=fen.
func (s *Server) setPrice(no string, q url.Values) error {
	amount, err := strconv.ParseInt(q.Get("amount"), 10, 64)
	return s.desk.withBill(no, func(b *bill) error {
		if err != nil || amount <= 0 || b.state != billOpen {
			return fmt.Errorf("bill %s is %s, amount %q", no, b.state, q.Get("amount"))
		}
		first := b.lines[0]
		first.count, first.price, first.insured = 1, amount, 0
		b.lines = []line{first}
		return nil
	})
}

// dispense hands out what a bill paid for: it cannot go back online any more.
func (s *Server) dispense(no string, _ url.Values) error {
	return s.desk.withBill(no, func(b *bill) error { b.dispensed = true; return nil })
}

// setPlaces sets how many patients a slot takes: ?places=0.
func (s *Server) setPlaces(id string, q url.Values) error {
	n, err := strconv.Atoi(q.Get("places"))
	if err != nil || n < 0 {
		return fmt.Errorf("places must be a number, got %q", q.Get("places"))
	}
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	s.desk.spare[id] = n
	return nil
}
