"""Trains a group: python train.py --flagfile=configs/digits.flags"""

from orc_keras.train import program

if __name__ == "__main__":
    program()
