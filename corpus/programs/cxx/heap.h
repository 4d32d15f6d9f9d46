/* What is defined in another source. */
#pragma once

class Elsewhere {
public:
	explicit Elsewhere(int n);
	int n;
	long more;
};

int square_of(int n);
