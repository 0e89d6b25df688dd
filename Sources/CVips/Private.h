#ifndef CVIPS_PRIVATE_H
#define CVIPS_PRIVATE_H

#include <vips/vips.h>

#include "CVips.h"

#endif
