"""The corruptions of ImageNet-C-bar and CIFAR-10-C-bar, a second set unlike the first.

Mintun, Kirillov and Xie, "On Interaction Between Augmentations and Corruptions in Natural
Corruption Robustness", 2021, chose them from many so that they are hard in the same measure as
ImageNet-C and far from it in what they do. Names are spelled as published (`cocentric_sine_waves`,
`transverse_chromatic_abberation`). Every function takes (images [N, C, H, W], stream, level) and
returns such images: uint8, or float32 grey levels. The level, 0 to 10, is the number that the
authors choose for each severity.

What is random comes from our stream instead of NumPy's generator: the same laws, other draws. The
published images are square; of others the shorter side stands for the side, places are drawn over
the whole image.
"""
