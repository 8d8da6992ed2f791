package his

import "hospay/sim"

// bearer is 1101 with what was shown at a kiosk: the code of a credential (01) or
// a social-security card (03). The insurance gives a token for a credential.
func (s *Server) bearer(in input, _ sim.Fault) (record, error) {
	if err := in.need("cert_type", "cert_no"); err != nil {
		return nil, err
	}
	p := s.world.Bearer(in["cert_no"])
	if p == nil || (in["cert_type"] == "01") != (in["cert_no"] == p.Credential()) {
		return nil, errPatient
	}
	token := ""
	if in["cert_type"] == "01" && s.behind != nil {
		token = s.behind.Shown(p)
	}
	return record{{"patient_id", p.Code}, {"name", p.Name}, {"id_type", "01"}, {"id_no", p.IDNo}, {"phone", p.Phone}, {"ec_token", token}}, nil
}

// settleInsurance settles the insurance's part of an order that the centre has
// priced, with the token of a credential that was shown.
func (s *Server) settleInsurance(in input, _ sim.Fault) (record, error) {
	if err := in.need("pay_ord_id", "med_org_ord", "ec_token"); err != nil {
		return nil, err
	}
	if s.behind == nil {
		return nil, errUnsettled
	}
	if err := s.behind.SettleShown(in["pay_ord_id"], in["ec_token"]); err != nil {
		return nil, errUnsettled
	}
	return record{{"pay_ord_id", in["pay_ord_id"]}, {"med_org_ord", in["med_org_ord"]}}, nil
}
