"""Alert rules, and the incidents they find: one for each trouble, however often it is seen."""
